// Builds page elements from data. Text always becomes a text node, so no message can become markup.

const SVG = "http://www.w3.org/2000/svg";

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const ICONS = {
  keyboard: ["M3 6h18v12H3z", "M6 9.5h1M9.5 9.5h1M13 9.5h1M16.5 9.5h1M6 12.5h1M9.5 12.5h1M13 12.5h1M16.5 12.5h1M8 15.5h8"],
  menu: ["M4 7h16M4 12h16M4 17h16"],
  list: ["M5 8h14M5 12h14M5 16h14"],
  voice: ["M7 9.8a4 4 0 0 1 0 4.4", "M10.2 7.4a8 8 0 0 1 0 9.2", "M13.4 5a12 12 0 0 1 0 14"],
  plus: ["M12 6v12M6 12h12"],
  back: ["M14.5 5 8 12l6.5 7"],
  more: ["M5.5 12h.01M12 12h.01M18.5 12h.01"],
  next: ["M9.5 6l6 6-6 6"],
  bell: ["M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15z", "M10.5 20.5h3"],
  close: ["M6 6l12 12M18 6 6 18"],
  outside: ["M14 5h5v5M19 5l-8 8M11 6H6v12h12v-5"],
  picture: ["M4 5h16v14H4z", "M4 16l5-5 4 4 3-3 4 4", "M15.5 9h.01"],
  sticker: ["M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z", "M9 10h.01M15 10h.01", "M8.5 14c1 1.4 2.2 2 3.5 2s2.5-.6 3.5-2"],
  place: ["M12 21c4-5 6-8 6-11a6 6 0 0 0-12 0c0 3 2 6 6 11z", "M12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"],
  link: ["M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1", "M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"],
  wallet: ["M4 7h14v12H4z", "M4 7l11-3v3", "M18 11h3v4h-5v-4z"],
  ride: ["M6 4h12v12H6z", "M6 11h12", "M9 19l-1.5 2M15 19l1.5 2", "M9 13.5h.01M15 13.5h.01"],
  gate: ["M4 5h5v15H4z", "M15 5h5v15h-5z", "M9 12h6", "M6.5 8.5h.01M17.5 8.5h.01"],
  scan: ["M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16"],
  leave: ["M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z", "M3 20c0-4 2.5-6 6-6s6 2 6 6", "M15.5 9h6"],
  follow: ["M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z", "M3 20c0-4 2.5-6 6-6s6 2 6 6", "M18.5 6v6M15.5 9h6"],
  bubble: ["M12 4c5 0 9 3.2 9 7.2s-4 7.2-9 7.2c-.9 0-1.8-.1-2.6-.3L5 20l.9-3.3C4.1 15.4 3 13.4 3 11.2 3 7.2 7 4 12 4z"],
  play: ["M9 7l8 5-8 5z"],
  music: ["M9 17V6l9-2v11", "M9 17a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM18 15a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z"],
};

export function icon(name) {
  const lines = ICONS[name].map((d) => svg("path", { d }));
  return svg("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true" }, ...lines);
}

/** A button that shows an icon and says its name to those who cannot see it. */
export function iconButton(name, label, onclick, props = {}) {
  return el("button", { type: "button", class: `round ${name}`, "aria-label": label, title: label, onclick, ...props }, icon(name));
}

const COLOURS = ["#4c8dd6", "#d2803c", "#7a6bb5", "#3d9a8b", "#b9637f", "#6f8a3c"];

/** A square with one character on a colour that stays the same for the same name. */
export function avatar(text, seed, mark = "") {
  const place = [...seed].reduce((sum, one) => (sum * 31 + one.codePointAt(0)) % 9973, 7);
  const colour = mark === "account" ? "#07a350" : COLOURS[place % COLOURS.length];
  const tile = el("span", { class: `avatar ${mark}`, "aria-hidden": "true" }, text);
  tile.style.background = colour;
  return tile;
}

/** "<a href>" with an http address becomes a link, everything else stays text as it was written. */
export function linked(text, open) {
  const parts = [];
  const anchors = /<a\s[^<>]*?href\s*=\s*(["'])(https?:\/\/[^"'<>\s]+)\1[^<>]*>([^<]*)<\/a\s*>/gi;
  let from = 0;
  for (const found of text.matchAll(anchors)) {
    const url = found[2].replaceAll("&amp;", "&");
    parts.push(text.slice(from, found.index), el("a", {
      href: url,
      onclick: (event) => { event.preventDefault(); open(url, found[3]); },
    }, found[3]));
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}
