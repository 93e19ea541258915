// Draws one entry of the chat: a bubble, a card, or a grey line.

import { STICKER } from "./acts.js";
import { avatar, el, icon, linked, svg } from "./dom.js";
import { drawNotice } from "./notices.js";

/** `doors` is what a bubble can do: open(url, title), act(body), media(id). */
export function drawEntry(entry, faces, doors) {
  if (entry.kind === "line" || entry.kind === "notice") {
    return el("div", { class: "line", data: marks(entry) }, el("span", {}, entry.content));
  }
  const own = entry.kind === "sent";
  const draw = DRAW[entry.type] ?? drawUnknown;
  const label = own ? "我" : faces.account;
  return el("div", { class: own ? "entry own" : "entry", data: marks(entry), role: "group", "aria-label": label },
    own ? avatar(faces.citizen, faces.seed) : avatar(faces.mark, faces.account, "account"),
    el("div", { class: "body" }, ...[draw(entry, doors)].flat()));
}

function marks(entry) {
  return { id: entry.id, kind: entry.kind, type: entry.type };
}

function bubble(...children) {
  return el("div", { class: "bubble" }, ...children);
}

function drawText(entry, doors) {
  if (entry.kind === "sent" && entry.content === STICKER) return el("div", { class: "sticker", role: "img", "aria-label": "表情" }, icon("sticker"));
  const parts = [bubble(...linked(entry.content, doors.open))];
  if (entry.ai) parts.push(el("small", { class: "hint" }, "内容由 AI 生成"));
  return parts;
}

function drawVoice(entry) {
  const words = entry.recognition ?? "";
  const seconds = Math.min(60, Math.max(1, Math.round(1 + words.length / 4)));
  const spoken = el("div", { class: "bubble spoken", role: "img", "aria-label": `语音 ${seconds} 秒` },
    icon("voice"), el("span", {}, `${seconds}″`));
  spoken.style.width = `${Math.min(220, 84 + seconds * 7)}px`;
  return words ? [spoken, el("div", { class: "heard" }, words)] : [spoken];
}

function drawImage(entry, doors) {
  const address = entry.pic_url || doors.media(entry.media_id);
  const picture = el("img", { src: address, alt: "图片", loading: "lazy", referrerpolicy: "no-referrer" });
  const frame = el("button", {
    type: "button", class: "photo", "aria-label": "看大图", onclick: () => doors.open(address, "图片"),
  }, picture);
  picture.addEventListener("error", () => frame.replaceWith(entry.pic_url ? gone() : plainCard("picture", "图片", entry.media_id)));
  return frame;
}

function gone() {
  return el("div", { class: "photo" }, icon("picture"), "图片打不开");
}

function drawVideo(entry) {
  return plainCard("play", entry.title || "视频", entry.description || entry.media_id || "");
}

function drawMusic(entry) {
  return plainCard("music", entry.title || "音乐", entry.description ?? "");
}

function drawLocation(entry) {
  const where = `${entry.latitude.toFixed(5)}, ${entry.longitude.toFixed(5)}`;
  return el("div", { class: "card place" },
    el("b", {}, entry.label || "我的位置"), el("small", {}, where), drawMap(entry.latitude, entry.longitude));
}

/** No real map: streets that differ from place to place, and a pin in the middle. */
function drawMap(latitude, longitude) {
  const turn = Math.abs(Math.sin(latitude * 91.7 + longitude * 37.3));
  const at = (share, most) => Math.round(((turn * share) % 1) * most);
  const street = (d, width) => svg("path", { d, stroke: "#fff", "stroke-width": width, fill: "none" });
  return svg("svg", { viewBox: "0 0 250 120", class: "map", role: "img", "aria-label": "地图" },
    svg("rect", { width: 250, height: 120, fill: "#e9eedf" }),
    svg("rect", { x: at(7, 150), y: at(3, 60), width: 70, height: 46, rx: 6, fill: "#cfe5bd" }),
    svg("path", { d: `M0 ${20 + at(5, 30)} C 80 ${at(11, 120)}, 150 ${at(13, 120)}, 250 ${60 + at(17, 50)}`, stroke: "#a9d3ef", "stroke-width": 13, fill: "none" }),
    street(`M0 ${40 + at(19, 30)} L250 ${70 + at(23, 20)}`, 9), street(`M${60 + at(29, 40)} 0 L${90 + at(31, 40)} 120`, 8),
    street(`M${170 + at(37, 40)} 0 L${150 + at(41, 40)} 120`, 5), street(`M0 ${95 + at(43, 15)} L250 ${90 + at(47, 20)}`, 5),
    svg("ellipse", { cx: 125, cy: 78, rx: 8, ry: 3, fill: "#0003" }),
    svg("path", { d: "M125 78c11-13 16-20 16-28a16 16 0 0 0-32 0c0 8 5 15 16 28z", fill: "#e64340" }),
    svg("circle", { cx: 125, cy: 50, r: 6, fill: "#fff" }));
}

function drawLink(entry, doors) {
  return el("button", { type: "button", class: "card sharing", onclick: () => doors.open(entry.url, entry.title) },
    el("b", {}, entry.title), el("span", { class: "below" },
      el("small", {}, entry.description || entry.url), icon("link")));
}

function drawNews(entry, doors) {
  const [first, ...others] = entry.articles;
  return el("div", { class: "card news" }, leadArticle(first, others.length > 0, doors),
    ...others.map((article) => smallArticle(article, doors)));
}

function leadArticle(article, hasMore, doors) {
  const summary = hasMore || !article.description ? null : el("span", { class: "summary" }, article.description);
  const parts = article.picurl ? [articlePicture(article), el("b", {}, article.title), summary]
    : [el("b", {}, article.title), summary, hasMore ? null : el("span", { class: "read" }, "查看详情")];
  return articleButton(article, article.picurl ? "article lead" : "article", doors, parts);
}

function smallArticle(article, doors) {
  const thumb = article.picurl ? articlePicture(article) : null;
  return articleButton(article, "article small", doors, [el("b", {}, article.title), thumb]);
}

function articlePicture(article) {
  const picture = el("img", { src: article.picurl, alt: "", loading: "lazy", referrerpolicy: "no-referrer" });
  picture.addEventListener("error", () => picture.classList.add("gone"));
  return picture;
}

function articleButton(article, name, doors, parts) {
  const reachable = /^https?:/i.test(article.url);
  const onclick = reachable ? () => doors.open(article.url, article.title) : undefined;
  return el("button", { type: "button", class: name, disabled: !reachable, onclick }, ...parts);
}

function drawMsgMenu(entry, doors) {
  const options = entry.list.map((option) => el("button", {
    type: "button", class: "option", data: { option: option.id },
    onclick: () => doors.act({ type: "text", content: option.content, bizmsgmenuid: option.id }),
  }, option.content));
  return bubble(entry.head_content ?? "", el("div", { class: "options" }, ...options), entry.tail_content ?? "");
}

function plainCard(name, title, detail) {
  return el("div", { class: "card plain" }, icon(name), el("span", {}, el("b", {}, title), el("small", {}, detail)));
}

function drawMiniProgram(entry) {
  return plainCard("outside", entry.title || "小程序", `小程序 ${entry.pagepath}`);
}

function drawUnknown(entry) {
  return plainCard("outside", NAMES[entry.type] ?? entry.type, entry.media_id || entry.article_id || entry.card_id || "");
}

const NAMES = { mpnews: "图文消息", mpnewsarticle: "图文消息", wxcard: "卡券" };

const DRAW = {
  text: drawText,
  voice: drawVoice,
  image: drawImage,
  video: drawVideo,
  shortvideo: drawVideo,
  music: drawMusic,
  location: drawLocation,
  link: drawLink,
  news: drawNews,
  msgmenu: drawMsgMenu,
  miniprogrampage: drawMiniProgram,
  template: drawNotice,
  subscription: drawNotice,
};
