// Cards of template messages and subscriptions, the pop-up that asks for subscriptions, and their settings.

import { el, icon } from "./dom.js";

/** A card as WeChat draws it: title, lines of name and value, and 详情 where it leads somewhere. */
export function drawNotice(entry, doors) {
  const lines = entry.fields.map((line) => el("div", { class: "row" }, el("dt", {}, line.name), el("dd", {}, line.value)));
  const parts = [el("b", {}, entry.title), el("dl", {}, ...lines)];
  if (entry.appid) return el("div", { class: "card notice" }, ...parts, more("进入小程序"));
  if (!/^https?:/i.test(entry.url ?? "")) return el("div", { class: "card notice" }, ...parts);
  return el("button", { type: "button", class: "card notice", onclick: () => doors.open(entry.url, entry.title) }, ...parts, more("详情"));
}

function more(words) {
  return el("span", { class: "more" }, words, icon("next"));
}

const TERMS = { once: "一次性订阅", long: "长期订阅" };
const MOST = 5;

/** Subscriptions of one citizen; `phone` offers covers, account, subscriptions, id(name), post(path, body). */
export class Subscriptions {
  constructor(phone) {
    this.phone = phone;
  }

  /** Asks for the templates with these ids, or lets the tester choose which kind is asked for. */
  ask(ids = null, scene = 1, then = () => {}) {
    const known = this.phone.subscriptions;
    if (ids) {
      this.popUp(known.filter((one) => ids.includes(one.template_id)).slice(0, MOST), scene, then);
      return;
    }
    const kinds = Object.keys(TERMS).map((term) => known.filter((one) => one.term === term).slice(0, MOST)).filter((list) => list.length);
    if (!kinds.length) this.phone.covers.note("这个公众号没有订阅通知");
    else if (kinds.length === 1) this.popUp(kinds[0], scene, then);
    else {
      this.phone.covers.choose("订阅通知", "真实场景里，由文章或网页上的按钮弹出", kinds.map((list) => ({
        label: TERMS[list[0].term], id: this.phone.id(`ask-${list[0].term}`), then: () => this.popUp(list, scene, then),
      })));
    }
  }

  popUp(list, scene, then) {
    if (!list.length) {
      this.phone.covers.note("这些通知这个公众号都没有");
      return;
    }
    if (list.every((one) => one.kept)) {
      this.answer(list, (one) => one.answer === "accept", { scene, keep: true }).then(then);
      this.phone.covers.note("已按您上次保存的选择处理");
      return;
    }
    const ticks = list.map((one) => el("input", { type: "checkbox", checked: true, "data-template": one.template_id }));
    const keep = list[0].term === "long" ? el("input", { type: "checkbox", id: this.phone.id("keep-choices") }) : null;
    const decide = (allowed) => () => {
      close();
      this.answer(list, (one, place) => allowed && ticks[place].checked, { scene, keep: Boolean(keep?.checked) }).then(then);
    };
    const allow = el("button", { type: "button", class: "green", id: this.phone.id("allow"), onclick: decide(true) }, "允许");
    const sheet = el("div", { class: "sheet asking", role: "dialog", "aria-modal": "true", "aria-label": "订阅通知" },
      el("p", { class: "asker" }, el("b", {}, this.phone.account.name), " 申请"),
      el("h2", {}, list[0].term === "long" ? "长期给您发送以下通知" : "给您发送一次以下通知"),
      el("div", { class: "asked" }, ...list.map((one, place) => el("label", { class: "tick" }, ticks[place], el("span", {}, one.title)))),
      keep ? el("label", { class: "tick keep" }, keep, el("span", {}, "总是保持以上选择，不再询问")) : null,
      el("div", { class: "choices" },
        el("button", { type: "button", class: "quiet", id: this.phone.id("deny"), onclick: decide(false) }, "拒绝"), allow));
    const close = this.phone.covers.sheet(sheet, allow);
  }

  /** Resolves to what was answered for each template. */
  async answer(list, allowed, { scene, keep }) {
    const templates = Object.fromEntries(list.map((one, place) => [one.template_id, allowed(one, place) ? "accept" : "reject"]));
    await this.phone.post("/sim/subscriptions", { templates, scene, keep });
    return templates;
  }

  /** The management page: what was agreed to, and a switch to refuse it. */
  manage() {
    const answered = this.phone.subscriptions.filter((one) => one.answer);
    const lines = answered.map((one) => {
      const on = one.answer === "accept" || one.left !== 0;
      const refuse = el("button", {
        type: "button", class: on ? "switch on" : "switch", role: "switch", "aria-checked": String(on), "aria-label": `接收${one.title}`,
        disabled: !on, onclick: () => { close(); this.phone.post("/sim/subscriptions/manage", { templates: [one.template_id] }); },
      });
      return el("div", { class: "managed" }, el("span", {}, el("b", {}, one.title), el("small", {}, state(one, on))), refuse);
    });
    const done = el("button", { type: "button", class: "wide quiet", onclick: () => close() }, "关闭");
    const sheet = el("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": "订阅通知管理" },
      el("h2", {}, "订阅通知管理"),
      lines.length ? el("div", { class: "list" }, ...lines) : el("p", {}, "您还没有对任何通知作过选择"), done);
    const close = this.phone.covers.sheet(sheet, done);
  }
}

function state(one, on) {
  if (!on) return "不接收";
  return one.term === "long" ? "长期接收" : `还可以收到 ${one.left} 次`;
}
