// The bottom of the chat: the line to type on, the account's menu, and the panel behind ＋.

import { el, icon, iconButton } from "./dom.js";

export class Footer {
  /** `suffix` keeps ids apart when two phones are on the page; `doers` = {say, voice, tap, more}. */
  constructor(suffix, doers) {
    this.id = (name) => name + suffix;
    this.doers = doers;
    this.menuShown = null;
    this.node = el("footer", { class: "footer" });
    this.text = this.buildText();
    this.menuBar = el("nav", { class: "bar tabs", id: this.id("menu"), "aria-label": "公众号菜单", hidden: true });
    this.panel = el("div", { class: "panel", id: this.id("panel"), hidden: true });
    this.node.append(this.text, this.menuBar, this.panel);
  }

  buildText() {
    this.toMenu = iconButton("menu", "切换到菜单", () => this.showMenu(true), { id: this.id("to-menu"), hidden: true });
    this.say = el("textarea", { id: this.id("say"), rows: 1, "aria-label": "输入消息", maxlength: 2000, enterkeyhint: "send", autocomplete: "off" });
    this.send = el("button", { type: "submit", id: this.id("send"), class: "green", hidden: true }, "发送");
    this.plus = iconButton("plus", "更多", () => this.togglePanel(), { id: this.id("more"), "aria-expanded": "false" });
    const voice = el("button", { type: "button", id: this.id("voice"), class: "round voice", "aria-label": "语音", title: "语音", onclick: () => this.doers.voice() }, icon("voice"));
    this.say.addEventListener("input", () => this.fit());
    this.say.addEventListener("focus", () => this.togglePanel(false));
    this.say.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    return el("form", { class: "bar text", onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      this.toMenu, voice, this.say, this.plus, this.send);
  }

  submit() {
    const content = this.say.value.trim();
    if (!content) return;
    this.say.value = "";
    this.fit();
    this.doers.say(content);
  }

  /** Gives the words back when they could not be sent. */
  putBack(content) {
    if (!this.say.value) this.say.value = content;
    this.fit();
  }

  fit() {
    const empty = !this.say.value.trim();
    this.send.hidden = empty;
    this.plus.hidden = !empty;
    this.say.rows = Math.min(4, this.say.value.split("\n").length);
  }

  togglePanel(open = this.panel.hidden) {
    this.panel.hidden = !open;
    this.plus.setAttribute("aria-expanded", String(open));
    if (open) this.panel.replaceChildren(...this.doers.more().map((tile) => this.tile(tile)));
  }

  tile({ name, label, id, then }) {
    return el("button", { type: "button", class: "tile", id: this.id(id), onclick: () => { this.togglePanel(false); then(); } },
      el("span", {}, icon(name)), label);
  }

  /** The menu as the account made it; without one there is only the line to type on. */
  setMenu(menu) {
    const text = JSON.stringify(menu);
    if (text === this.menuShown) return;
    this.menuShown = text;
    this.toMenu.hidden = !menu;
    const back = iconButton("keyboard", "切换到键盘", () => this.showMenu(false), { id: this.id("to-keyboard") });
    this.menuBar.replaceChildren(back, ...(menu?.button ?? []).map((button) => this.menuButton(button)));
    this.showMenu(Boolean(menu), false);
  }

  showMenu(on, focus = true) {
    this.menuBar.hidden = !on;
    this.text.hidden = on;
    this.togglePanel(false);
    if (focus) (on ? this.menuBar.querySelector("button") : this.say).focus();
  }

  menuButton(button) {
    const subs = button.sub_button ?? [];
    if (!subs.length) return el("div", { class: "slot" }, el("button", { type: "button", onclick: () => this.doers.tap(button) }, button.name));
    const list = el("div", { class: "popup", role: "group", "aria-label": button.name, hidden: true });
    const opener = el("button", { type: "button", "aria-expanded": "false", "aria-haspopup": "true" }, icon("list"), button.name);
    const show = (on) => {
      list.hidden = !on;
      opener.setAttribute("aria-expanded", String(on));
    };
    list.append(...subs.map((sub) => el("button", { type: "button", onclick: () => { show(false); this.doers.tap(sub); } }, sub.name)));
    opener.addEventListener("click", () => {
      const on = list.hidden;
      this.closePopups();
      show(on);
    });
    const slot = el("div", { class: "slot" }, list, opener);
    slot.closePopup = () => show(false);
    slot.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || list.hidden) return;
      show(false);
      opener.focus();
    });
    return slot;
  }

  closePopups() {
    this.menuBar.querySelectorAll(".slot").forEach((slot) => slot.closePopup?.());
  }
}
