// Short messages: the card that drops in when one arrives, the list of them, and whose number the phone has.

import { el, icon, iconButton } from "./dom.js";
import { separatorText } from "./times.js";

const FRESH_MS = 5 * 60 * 1000;
const CODE = /(?<!\d)\d{6}(?!\d)/;

let registers = null;

/** Everybody whom the played institutions know, as [{title, people}]; asked for once. */
function knownPeople() {
  registers ??= fetch("/sim/register").then((answer) => (answer.ok ? answer.json() : [])).catch(() => []);
  return registers;
}

function spaced(number) {
  return number.replace(/^(\d{3})(\d{4})(\d{4})$/, "$1 $2 $3");
}

/** The messages of one phone; `phone` offers node, covers, account, openid, id(name), post(path, body), fill(words). */
export class Texts {
  constructor(phone) {
    this.phone = phone;
    this.number = "";
    this.texts = [];
    this.last = 0;
    this.registers = [];
    this.card = null;
    this.ready = knownPeople().then((found) => { this.registers = found; });
  }

  /** Whether there is anything to show: somebody to be, or a message. */
  get any() {
    return this.registers.length > 0 || this.texts.length > 0;
  }

  hear(number, texts) {
    this.number = number;
    this.texts = texts;
    const newest = texts.at(-1);
    if (newest && newest.id > this.last && Date.now() - new Date(newest.at) < FRESH_MS) this.drop(newest);
    this.last = Math.max(this.last, newest?.id ?? 0);
  }

  /** The card of a message, on top of whatever is on the screen. */
  drop(text) {
    this.card?.remove();
    const code = CODE.exec(text.content)?.[0];
    const close = () => { this.card?.remove(); this.card = null; };
    const fill = code ? el("button", {
      type: "button", class: "fill", id: this.phone.id("fill-code"), onclick: () => { close(); this.phone.fill(code); },
    }, "填入 ", el("b", {}, code)) : null;
    this.card = el("aside", { class: "sms", role: "alert", id: this.phone.id("sms") },
      el("div", { class: "sms-head" }, tile(), el("span", { class: "sms-from" }, el("b", {}, text.sender), el("small", {}, this.towards(text))),
        iconButton("close", "收起短信", close)),
      el("p", {}, text.content),
      el("div", { class: "sms-acts" }, el("button", { type: "button", onclick: () => { close(); this.show(); } }, "全部短信"), fill));
    this.phone.node.append(this.card);
  }

  towards(text) {
    return this.number ? "短信 · 现在" : `短信 · 发给 ${spaced(text.number)}`;
  }

  owner(number) {
    return this.people().find((one) => one.phone === number)?.name ?? "";
  }

  people() {
    return this.registers.flatMap((register) => register.people);
  }

  /** The list of messages, newest first, below the number that is in the phone. */
  show() {
    this.card?.remove();
    const change = el("button", { type: "button", class: "fill", id: this.phone.id("change-card"), onclick: () => { close(); this.choose(); } }, this.number ? "换卡" : "插一张卡");
    const card = el("div", { class: "sim" }, chip(),
      this.number
        ? el("span", {}, el("b", {}, spaced(this.number)), el("small", {}, this.owner(this.number) || "这部手机的号码"))
        : el("span", {}, el("b", {}, "没有手机卡"), el("small", {}, "别的手机都没有的号码，短信显示在这里")),
      change);
    const list = this.texts.toReversed().map((text) => el("article", { class: "sms-text" },
      el("header", {}, el("b", {}, text.sender), el("time", { datetime: text.at }, separatorText(text.at))),
      el("p", {}, text.content),
      this.number ? null : el("small", {}, `发给 ${spaced(text.number)} ${this.owner(text.number)}`)));
    const nothing = list.length ? null : el("p", { class: "none" }, "还没有短信");
    const close = this.phone.covers.page("短信", [card, this.says(() => close()), ...list, nothing].filter(Boolean));
  }

  /** What whoever has this number may have to write: their own name and ID number, and those of their children. */
  says(close) {
    const own = this.people().filter((one) => this.number && one.phone === this.number);
    const family = own.flatMap((one) => [one, ...this.people().filter((child) => child.guardians.includes(one.name))]);
    const fill = (words) => el("button", { type: "button", onclick: () => { close(); this.phone.fill(words); } }, words);
    const lines = family.map((one) => el("div", { class: "sayable" }, fill(one.name), fill(one.id_number)));
    return lines.length ? el("div", { class: "says" }, el("small", {}, "要写的时候，点一下就填入："), ...lines) : null;
  }

  /** Whom one can be: tapping somebody puts their number into this phone. */
  choose() {
    const lines = this.registers.flatMap((register) => [
      el("h3", { class: "register" }, `${register.title}认识的人（都是虚构的）`),
      ...register.people.map((one) => this.person(one, () => close())),
    ]);
    const none = el("button", { type: "button", class: "wide quiet", id: this.phone.id("no-card"), onclick: () => { close(); this.insert(""); } }, "不插卡");
    const close = this.phone.covers.page("这部手机是谁的号码", [...lines, none]);
  }

  person(one, close) {
    const facts = [el("b", {}, one.name), el("small", {}, `身份证 ${one.id_number}`)];
    const family = one.guardians.length ? el("small", {}, `监护人 ${one.guardians.join("、")}`) : null;
    if (!one.phone) return el("div", { class: "person" }, el("span", {}, ...facts, family), el("small", { class: "own" }, "没有手机"));
    const mine = one.phone === this.number;
    return el("button", {
      type: "button", class: mine ? "person mine" : "person", "aria-pressed": String(mine),
      onclick: () => { close(); this.insert(one.phone); },
    }, el("span", {}, ...facts, family), el("span", { class: "own" }, spaced(one.phone)));
  }

  async insert(number) {
    if (await this.phone.post("/sim/phones", { number })) this.phone.covers.note(number ? `已插卡：${spaced(number)}` : "已取出手机卡");
  }
}

function tile() {
  return el("span", { class: "sms-icon", "aria-hidden": "true" }, icon("bubble"));
}

function chip() {
  return el("span", { class: "chip", "aria-hidden": "true" });
}
