// Starts the page: who holds which phone, and the controls beside them on a desk.

import { el } from "./dom.js";
import { Phone } from "./phone.js";

const NAMES = ["王秀英", "李建国", "张桂兰", "刘德福", "陈玉梅", "赵志强", "孙淑珍", "周卫东", "吴丽华", "郑海涛"];

const accounts = JSON.parse(document.body.dataset.accounts);
const account = { key: document.body.dataset.account, name: accounts[document.body.dataset.account] };
const ways = JSON.parse(document.body.dataset.ways);
const query = new URLSearchParams(location.search);
const remembered = `simulator.${account.key}`;

function go(changes) {
  const next = new URLSearchParams({ account: account.key, ...Object.fromEntries(query), ...changes });
  for (const [name, value] of Object.entries(changes)) if (!value) next.delete(name);
  location.search = next;
}

/** A citizen who has not followed yet. */
async function newCitizen() {
  const nickname = NAMES[Math.floor(Math.random() * NAMES.length)];
  const answer = await fetch("/sim/citizens", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ account: account.key, nickname, follows: false }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body.openid;
}

function recall() {
  try {
    return localStorage.getItem(remembered);
  } catch {
    return null;
  }
}

function remember(openid) {
  try {
    localStorage.setItem(remembered, openid);
  } catch {
    // Without storage the address still says whose phone it is.
  }
}

function put(openid, number) {
  const another = async () => go(number === 1 ? { openid: await newCitizen() } : { second: await newCitizen() });
  const phone = new Phone({ account, openid, number, another, ways });
  const holder = el("div", { class: "holder" }, phone.node);
  if (number !== 1) {
    holder.append(el("button", { type: "button", class: "away", id: "away", onclick: () => go({ second: "" }) }, "收起这部手机"));
  }
  document.getElementById("phones").append(holder);
  return phone;
}

async function fillCitizens(openid) {
  const select = document.getElementById("citizen");
  const answer = await fetch(`/sim/citizens?${new URLSearchParams({ account: account.key, limit: 200 })}`);
  const citizens = answer.ok ? await answer.json() : [];
  if (!citizens.some((one) => one.openid === openid)) citizens.push({ openid, nickname: "" });
  select.replaceChildren(...citizens.map((one) => el("option", { value: one.openid },
    one.nickname ? `${one.nickname}（…${one.openid.slice(-6)}）` : one.openid)));
  select.value = openid;
  select.addEventListener("change", () => go({ openid: select.value }));
}

function fillAccounts() {
  const select = document.getElementById("account");
  select.replaceChildren(...Object.entries(accounts).map(([key, name]) => el("option", { value: key }, name)));
  select.value = account.key;
  select.addEventListener("change", () => go({ account: select.value, openid: "", second: "" }));
  const alone = Object.keys(accounts).length === 1;
  select.hidden = alone;
  document.getElementById("account-label").hidden = alone;
}

async function start() {
  const openid = query.get("openid") || recall() || await newCitizen();
  remember(openid);
  query.set("account", account.key);
  query.set("openid", openid);
  history.replaceState(null, "", `?${query}`);
  const first = put(openid, 1);
  const texts = document.getElementById("texts-of-first");
  texts.addEventListener("click", () => first.texts.show());
  first.texts.ready.then(() => { texts.hidden = !first.texts.any; });
  const second = query.get("second");
  if (second) put(second, 2);
  document.getElementById("openid").textContent = openid;
  document.getElementById("new-citizen").addEventListener("click", async () => go({ openid: await newCitizen() }));
  const button = document.getElementById("second-phone");
  button.hidden = Boolean(second);
  button.addEventListener("click", async () => go({ second: await newCitizen() }));
  fillAccounts();
  await fillCitizens(openid);
}

start();
