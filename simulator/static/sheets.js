// What slides in over the chat: forms, the panel behind ＋, the web view, short notes.

import { el, icon, iconButton } from "./dom.js";

const NOTE_MS = 3500;

/** Covers one phone's screen with `cover`; what is below cannot be reached until it goes. Returns how to close it. */
function lay(screen, cover, under, gone = () => {}) {
  const before = document.activeElement;
  under.forEach((part) => { part.inert = true; });
  const close = () => {
    cover.remove();
    gone();
    under.forEach((part) => { part.inert = false; });
    before?.focus?.();
  };
  cover.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  screen.append(cover);
  return close;
}

export class Covers {
  /** `holder` is whose phone it is; `hear(message, answer)` gets what a page in the web view says. */
  constructor(screen, holder, hear) {
    this.screen = screen;
    this.holder = holder;
    this.hear = hear;
  }

  under() {
    return [...this.screen.children].filter((part) => !part.inert && !part.matches(".note, .sms"));
  }

  /** Anything from below, with the keyboard on `first`. Returns how to close it. */
  sheet(node, first) {
    const cover = el("div", { class: "cover" }, node);
    const close = lay(this.screen, cover, this.under());
    cover.addEventListener("click", (event) => { if (event.target === cover) close(); });
    // What is still sliding in stands below the edge: scrolling to it would make the phone jump.
    first.focus({ preventScroll: true });
    return close;
  }

  /** A form from below. `fields` are {name, label, value, long}; `done` gets the values. */
  ask(title, fields, button, done, extra = null) {
    const inputs = fields.map((field) => this.field(field));
    const form = el("form", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": title },
      el("h2", {}, title), extra ? extra(inputs) : null,
      ...inputs.map(({ label, input }) => el("label", {}, label, input)),
      el("div", { class: "choices" },
        el("button", { type: "button", class: "quiet", onclick: () => close() }, "取消"),
        el("button", { type: "submit", class: "green" }, button)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const values = Object.fromEntries(inputs.map(({ name, input }) => [name, input.value.trim()]));
      close();
      done(values);
    });
    const close = this.sheet(form, inputs[0].input);
  }

  field({ name, label, value = "", long = false, optional = false, type = "text" }) {
    const shape = long ? ["textarea", { rows: 3 }] : ["input", { type, step: type === "number" ? "any" : undefined }];
    const input = el(shape[0], { ...shape[1], name, value, required: !optional, maxlength: type === "number" ? undefined : 1000, autocomplete: "off" });
    return { name, label, input };
  }

  /** A list of things to do, from below. */
  choose(title, detail, choices) {
    const buttons = choices.map(({ label, id, risky, then }) => el("button", {
      type: "button", id, class: risky ? "wide risky" : "wide", onclick: () => { close(); then(); },
    }, label));
    const sheet = el("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": title },
      el("h2", {}, title), el("p", {}, detail), ...buttons,
      el("button", { type: "button", class: "wide quiet", onclick: () => close() }, "关闭"));
    const close = this.sheet(sheet, buttons[0]);
  }

  /** The web view inside the chat; a page that refuses frames can be opened outside. */
  web(url, title) {
    const address = new URL(url, location.href);
    if (!/^https?:$/.test(address.protocol)) return;
    // A page of ours could reach out of its frame; the login page leads to the bot's own, which need an origin.
    const ours = address.origin === location.origin && !address.pathname.startsWith("/connect/");
    const origin = ours ? "" : " allow-same-origin";
    const frame = el("iframe", {
      src: address.href, name: `phone:${this.holder}`, title: title || address.host, referrerpolicy: "no-referrer",
      allow: "screen-wake-lock",
      sandbox: `allow-scripts allow-forms allow-popups allow-modals allow-downloads${origin}`,
    });
    const view = el("section", { class: "webview", role: "dialog", "aria-modal": "true", "aria-label": title || address.host },
      el("header", {}, iconButton("close", "关闭网页", () => close()),
        el("span", { class: "title" }, el("b", {}, title || address.host), el("small", {}, address.host)),
        el("a", { class: "round", href: address.href, target: "_blank", rel: "noopener noreferrer", "aria-label": "在浏览器里打开", title: "在浏览器里打开" }, icon("outside"))),
      frame);
    const hear = (event) => {
      if (event.source !== frame.contentWindow) return;
      if (event.data?.simulator === "close") close();
      else this.hear(event.data, (message) => frame.contentWindow.postMessage(message, event.origin === "null" ? "*" : event.origin));
    };
    window.addEventListener("message", hear);
    const close = lay(this.screen, view, this.under(), () => window.removeEventListener("message", hear));
    view.querySelector("button").focus();
  }

  /** A page of the phone's own. Returns how to close it. */
  page(title, nodes) {
    const view = el("section", { class: "webview", role: "dialog", "aria-modal": "true", "aria-label": title },
      el("header", {}, iconButton("close", "关闭", () => close()),
        el("span", { class: "title" }, el("b", {}, title)), el("span", { class: "round" })),
      el("div", { class: "services" }, ...nodes));
    const close = lay(this.screen, view, this.under());
    view.querySelector("button").focus();
    return close;
  }

  note(text) {
    const note = el("div", { class: "note", role: "alert" }, text);
    this.screen.append(note);
    setTimeout(() => note.remove(), NOTE_MS);
  }
}
