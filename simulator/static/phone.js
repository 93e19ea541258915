// One phone: the chat of one citizen with one official account.

import { Acts } from "./acts.js";
import { drawEntry } from "./bubbles.js";
import { avatar, el, icon, iconButton } from "./dom.js";
import { Feed } from "./feed.js";
import { Footer } from "./footer.js";
import { Subscriptions } from "./notices.js";
import { Covers } from "./sheets.js";
import { Texts } from "./sms.js";
import { needsSeparator, nowText, separatorText } from "./times.js";

const PAGE = 100;
const NEAR_END_PX = 120;
const TYPING_AFTER_MS = 400;
const OFFLINE_AFTER_MS = 1200;
const CLOCK_MS = 20000;

export class Phone {
  /** `account` = {key, name}; `number` is 1 for the first phone on the page; `another` makes a new citizen; `ways` are pages beside the chat. */
  constructor({ account, openid, number, another, ways = {} }) {
    this.account = account;
    this.ways = ways;
    this.openid = openid;
    this.another = another;
    this.follows = null;
    this.subscriptions = [];
    this.services = [];
    this.lastAt = null;
    this.lastDrawn = null;
    const suffix = number === 1 ? "" : `-${number}`;
    this.id = (name) => name + suffix;
    this.acts = new Acts(this);
    this.footer = new Footer(suffix, {
      say: (content) => this.say(content),
      voice: () => this.acts.voice(),
      tap: (button) => this.acts.tap(button),
      more: () => this.acts.tiles(),
    });
    this.node = this.build();
    this.notices = new Subscriptions(this);
    this.covers = new Covers(this.node, openid, (message, reply) => this.listen(message, reply));
    this.texts = new Texts(this);
    this.faces = { account: account.name, mark: [...account.name][0], citizen: "我", seed: openid };
    this.feed = new Feed(account.key, openid, {
      heard: (state, entries) => this.hear(state, entries),
      linked: (on) => this.showLine(on),
    });
  }

  build() {
    this.title = el("h2", { class: "name", id: this.id("title"), "aria-live": "polite" }, this.account.name);
    this.time = el("span", {}, nowText());
    setInterval(() => { this.time.textContent = nowText(); }, CLOCK_MS);
    this.offline = el("div", { class: "offline", role: "status", hidden: true }, "连接断开了，正在重新连接…");
    this.log = el("div", { class: "log", id: this.id("log"), role: "log", tabindex: "0", "aria-label": "聊天记录", onscroll: () => this.scrolled() });
    this.earlier = el("button", { type: "button", class: "earlier", hidden: true, onclick: () => this.showEarlier() }, "查看更早的消息");
    this.log.append(this.earlier);
    this.stick = true;
    // The keyboard and the panel take room away: who reads the end goes on reading the end.
    new ResizeObserver(() => { if (this.stick) this.toEnd(); }).observe(this.log);
    this.fresh = el("button", { type: "button", class: "fresh", hidden: true, onclick: () => this.toEnd() }, "有新消息 ↓");
    this.log.addEventListener("pointerdown", () => { this.footer.closePopups(); this.footer.togglePanel(false); });
    return el("section", { class: "phone", "aria-label": `${this.account.name}的聊天`, data: { openid: this.openid } },
      el("div", { class: "status", "aria-hidden": "true" }, this.time, el("span", { class: "battery" })),
      el("header", { class: "top" }, el("span", { class: "round back", "aria-hidden": "true" }, icon("back")), this.title, iconButton("more", "公众号资料", () => this.showProfile(), { id: this.id("profile") })),
      this.offline, this.log, this.fresh, this.footer.node, this.buildCard());
  }

  /** What someone sees who does not follow. */
  buildCard() {
    this.serviceButton = el("button", { type: "button", class: "wide quiet", id: this.id("services"), hidden: true, onclick: () => this.showServices() });
    this.card = el("div", { class: "profile", hidden: true },
      avatar([...this.account.name][0], this.account.name, "account"),
      el("h2", {}, this.account.name), el("p", {}, "公众号 · 关注以后就可以发消息"),
      el("button", { type: "button", class: "green wide", id: this.id("follow"), onclick: () => this.acts.follow() }, "关注公众号"),
      el("button", { type: "button", class: "wide quiet", id: this.id("follow-scan"), onclick: () => this.acts.scan() }, "扫二维码关注"),
      this.serviceButton);
    return this.card;
  }

  hear(state, entries) {
    this.setFollows(state.follows);
    this.footer.setMenu(state.menu);
    this.setTyping(state.typing);
    if (state.nickname) this.faces.citizen = [...state.nickname].at(-1);
    this.subscriptions = state.subscriptions;
    this.wallet = state.wallet;
    this.texts.hear(state.number, state.texts);
    this.keepServices(entries.filter((entry) => entry.service));
    if (!entries.length) return;
    const stay = this.lastDrawn && !this.stick && entries.every((entry) => entry.kind !== "sent");
    if (!this.lastDrawn) this.earlier.hidden = entries.length < PAGE;
    this.log.append(...this.draw(entries));
    if (stay) this.fresh.hidden = false;
    else this.toEnd();
  }

  /** Entries and the times between them, in order after what is there. */
  draw(entries) {
    const drawn = [];
    for (const entry of entries) {
      if (entry.service) continue;
      if (needsSeparator(this.lastAt, entry.at)) drawn.push(el("time", { class: "line", datetime: entry.at }, separatorText(entry.at)));
      drawn.push(drawEntry(entry, this.faces, this.doors()));
      this.lastAt = entry.at;
      this.lastDrawn = entry.id;
    }
    return drawn;
  }

  doors() {
    const media = (id) => `/phone/media/${this.account.key}/${encodeURIComponent(id)}`;
    return { open: (url, title) => this.open(url, title), act: (body) => this.act(body), media };
  }

  /** What came to somebody who does not follow stands elsewhere: among the service notifications. */
  keepServices(entries) {
    this.services.push(...entries);
    this.serviceButton.hidden = !this.services.length;
    this.serviceButton.textContent = `服务通知（${this.services.length}）`;
  }

  showServices() {
    this.covers.page("服务通知", this.services.map((entry) => drawEntry(entry, this.faces, this.doors())));
  }

  /** A page in the web view asks for subscriptions, as WeChat's own button on it would. */
  listen(message, reply) {
    if (message?.simulator !== "subscribe" || !Array.isArray(message.templates)) return;
    this.notices.ask(message.templates, 1, (templates) => reply({ simulator: "subscribed", templates }));
  }

  async showEarlier() {
    const first = this.log.querySelector("[data-id]");
    const older = await this.feed.before(first.dataset.id);
    this.earlier.hidden = older.length < PAGE;
    const [at, last, height] = [this.lastAt, this.lastDrawn, this.log.scrollHeight];
    this.lastAt = null;
    this.earlier.after(...this.draw(older));
    [this.lastAt, this.lastDrawn] = [at, last];
    this.log.scrollTop += this.log.scrollHeight - height;
  }

  setFollows(follows) {
    if (follows === this.follows) return;
    this.follows = follows;
    this.card.hidden = follows;
    [this.log, this.footer.node].forEach((part) => { part.inert = !follows; });
    this.node.classList.toggle("stranger", !follows);
  }

  /** Short waits are not worth a flicker. */
  setTyping(on) {
    clearTimeout(this.typingSoon);
    if (!on) this.title.textContent = this.account.name;
    else this.typingSoon = setTimeout(() => { this.title.textContent = "对方正在输入…"; }, TYPING_AFTER_MS);
  }

  showLine(on) {
    clearTimeout(this.offlineSoon);
    if (on) this.offline.hidden = true;
    else this.offlineSoon = setTimeout(() => { this.offline.hidden = false; }, OFFLINE_AFTER_MS);
  }

  async say(content) {
    if (!(await this.act({ type: "text", content }))) this.footer.putBack(content);
  }

  /** Resolves to whether it was sent. */
  async act(body) {
    return this.post("/phone/acts", body);
  }

  async post(path, body) {
    const wrong = await this.feed.post(path, body);
    if (wrong) this.covers.note(`没有发出去：${wrong}`);
    return !wrong;
  }

  /** Puts words into the line to type on, if nothing is written there. */
  fill(words) {
    if (!this.footer.menuBar.hidden) this.footer.showMenu(false);
    this.footer.putBack(words);
    this.footer.say.focus();
  }

  open(url, title) {
    this.covers.web(url, title);
  }

  showProfile() {
    const choices = [{ label: "换一个新市民", id: this.id("another"), then: () => this.another() }];
    if (this.subscriptions.length) choices.push({ label: "订阅通知管理", id: this.id("manage"), then: () => this.notices.manage() });
    if (this.texts.any) choices.push({ label: "手机卡和短信", id: this.id("texts"), then: () => this.texts.show() });
    if (this.services.length) choices.push({ label: "服务通知", id: this.id("services-again"), then: () => this.showServices() });
    if (this.follows) choices.push({ label: "取消关注", id: this.id("unfollow"), risky: true, then: () => this.acts.leave() });
    this.covers.choose(this.account.name, `这部手机的 openid：${this.openid}`, choices);
  }

  nearEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END_PX;
  }

  scrolled() {
    this.stick = this.nearEnd();
    if (this.stick) this.fresh.hidden = true;
  }

  toEnd() {
    this.stick = true;
    this.fresh.hidden = true;
    this.log.scrollTop = this.log.scrollHeight;
    // Pictures grow after they are loaded; the end stays in view until the reader scrolls away.
    this.log.querySelectorAll("img").forEach((image) => {
      if (!image.complete) image.addEventListener("load", () => { if (this.stick) this.toEnd(); }, { once: true });
    });
  }
}
