// What a citizen can do besides typing: each of these asks for what is needed and sends it.

import { el } from "./dom.js";

const SAMPLES = [["photo-1.png", "路灯坏了"], ["photo-2.png", "化验单"]];
// A sticker reaches the account as a text: these very words, in the platform's place.
export const STICKER = "【收到不支持的消息类型，暂无法显示】";
const HERE = { label: "市府广场", latitude: "41.80570", longitude: "123.43150" };

/** `phone` offers act(body), open(url, title), covers and follows. */
export class Acts {
  constructor(phone) {
    this.phone = phone;
  }

  event(event, key, fields = {}) {
    return this.phone.act({ type: "event", event, event_key: key, fields });
  }

  voice() {
    this.phone.covers.ask("语音", [{ name: "words", label: "您要说的话（打字代替说话）", long: true }], "松开 发送",
      ({ words }) => this.phone.act({ type: "voice", recognition: words }));
  }

  picture(then = (url) => this.phone.act({ type: "image", pic_url: url })) {
    const samples = ([first]) => el("div", { class: "samples" }, ...SAMPLES.map(([file, name]) => el("button", {
      type: "button", "aria-label": `用样图：${name}`, onclick: () => { first.input.value = new URL(`/phone/static/${file}`, location.href).href; },
    }, el("img", { src: `/phone/static/${file}`, alt: "" }), name)));
    this.phone.covers.ask("图片", [{ name: "url", label: "图片地址", type: "url", value: new URL("/phone/static/photo-1.png", location.href).href }],
      "发送", ({ url }) => then(url), samples);
  }

  sticker() {
    return this.phone.act({ type: "text", content: STICKER });
  }

  place(then = (place) => this.phone.act({ type: "location", ...place })) {
    this.phone.covers.ask("位置", [
      { name: "label", label: "地点名称", value: HERE.label },
      { name: "latitude", label: "纬度", value: HERE.latitude, type: "number" },
      { name: "longitude", label: "经度", value: HERE.longitude, type: "number" },
    ], "发送", ({ label, latitude, longitude }) => then({ label, latitude: Number(latitude), longitude: Number(longitude) }));
  }

  link() {
    this.phone.covers.ask("链接", [
      { name: "title", label: "标题" },
      { name: "url", label: "网址", type: "url", value: "https://" },
      { name: "description", label: "说明（可以不填）", optional: true },
    ], "发送", (link) => this.phone.act({ type: "link", ...link }));
  }

  /** Someone who does not follow yet is asked to, and the scene comes with that. */
  scan() {
    this.phone.covers.ask("扫一扫", [{ name: "scene", label: "二维码里的场景值，或二维码图片的网址" }], "扫码", ({ scene }) => {
      const ticket = ticketIn(scene);
      if (ticket) return this.phone.post("/sim/scans", { ticket });
      return this.phone.follows ? this.event("SCAN", scene) : this.event("subscribe", `qrscene_${scene}`);
    });
  }

  follow() {
    return this.event("subscribe", "");
  }

  leave() {
    return this.event("unsubscribe", "");
  }

  tiles() {
    const asking = { name: "bell", label: "订阅通知", id: "more-subscribe", then: () => this.phone.notices.ask() };
    const wallet = { name: "wallet", label: `零钱 ${((this.phone.wallet ?? 0) / 100).toFixed(2)}`, id: "more-wallet", then: () => this.fillWallet() };
    const ways = this.phone.ways;
    const ride = { name: "ride", label: "乘车码", id: "more-ride", then: () => this.phone.open(`${ways.ride}?account=${this.phone.account.key}`, "乘车码") };
    const gates = { name: "gate", label: "闸机", id: "more-gates", then: () => window.open(ways.gates, "_blank", "noopener") };
    return [
      { name: "picture", label: "图片", id: "more-picture", then: () => this.picture() },
      { name: "sticker", label: "表情", id: "more-sticker", then: () => this.sticker() },
      { name: "place", label: "位置", id: "more-place", then: () => this.place() },
      { name: "link", label: "链接", id: "more-link", then: () => this.link() },
      { name: "scan", label: "扫码", id: "more-scan", then: () => this.scan() },
      { name: "leave", label: "取消关注", id: "more-leave", then: () => this.leave() },
      ...(this.phone.subscriptions.length ? [asking] : []),
      ...(typeof this.phone.wallet === "number" ? [wallet] : []),
      ...(ways.ride ? [ride] : []),
      ...(ways.gates ? [gates] : []),
    ];
  }

  /** What is in the wallet WeChat Pay debits, and the contract by which it does. */
  fillWallet() {
    const whose = { account: this.phone.account.key, openid: this.phone.openid };
    const now = `现在有 ${(this.phone.wallet / 100).toFixed(2)} 元。坐完车，从这里扣车费。`;
    const fill = (fen) => this.phone.post("/sim/pay/wallet", { ...whose, fen });
    this.phone.covers.choose("微信零钱", now, [
      { label: "充到 50 元", id: this.phone.id("wallet-50"), then: () => fill(5000) },
      { label: "只剩 1 元", id: this.phone.id("wallet-1"), then: () => fill(100) },
      { label: "花光", id: this.phone.id("wallet-0"), then: () => fill(0) },
      { label: "关闭免密支付", id: this.phone.id("wallet-end"), risky: true, then: () => this.phone.post("/sim/pay/terminate", whose) },
    ]);
  }

  /** A tap on the account's menu. */
  tap(button) {
    const does = TAPS[button.type];
    if (does) does(this, button);
    else this.phone.covers.note("这种菜单在模拟器里没有内容可看");
  }

  tapPicture(button) {
    this.picture(async (url) => {
      const info = { Count: 1, PicList: { item: [{ PicMd5Sum: "5a75aaca956d97be686719218f275c6b" }] } };
      await this.event(button.type, button.key, { SendPicsInfo: info });
      await this.phone.act({ type: "image", pic_url: url });
    });
  }

  tapPlace(button) {
    this.place(async (place) => {
      const info = { Location_X: String(place.latitude), Location_Y: String(place.longitude), Scale: "15", Label: place.label, Poiname: "" };
      await this.event(button.type, button.key, { SendLocationInfo: info });
      await this.phone.act({ type: "location", ...place });
    });
  }

  tapScan(button) {
    this.phone.covers.ask("扫一扫", [{ name: "result", label: "二维码的内容" }], "扫码", ({ result }) => (
      this.event(button.type, button.key, { ScanCodeInfo: { ScanType: "qrcode", ScanResult: result } })));
  }

  tapView(button) {
    this.event("VIEW", button.url, { MenuId: 1 });
    this.phone.open(button.url, button.name);
  }

  tapMiniProgram(button) {
    this.event("view_miniprogram", button.pagepath, { MenuId: 1 });
    this.phone.open(button.url, button.name);
  }
}

/** The ticket of a QR code that the platform made: in its picture's address, or by itself. */
function ticketIn(text) {
  if (/^gQ[\w-]{80,}==$/.test(text)) return text;
  return /^https?:/.test(text) ? new URL(text).searchParams.get("ticket") : null;
}

const TAPS = {
  click: (acts, button) => acts.event("CLICK", button.key),
  view: (acts, button) => acts.tapView(button),
  miniprogram: (acts, button) => acts.tapMiniProgram(button),
  scancode_push: (acts, button) => acts.tapScan(button),
  scancode_waitmsg: (acts, button) => acts.tapScan(button),
  pic_sysphoto: (acts, button) => acts.tapPicture(button),
  pic_photo_or_album: (acts, button) => acts.tapPicture(button),
  pic_weixin: (acts, button) => acts.tapPicture(button),
  location_select: (acts, button) => acts.tapPlace(button),
};
