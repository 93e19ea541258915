// 乘车码: a fresh code every 20 seconds under a grant of 15 minutes, which is renewed while there is a network.

import { able, fromBase64url, newKey, rideCode } from "./ride-code.js";
import { qr } from "./qr.js";

const CODE_S = 20; // a code is good for 30
const RENEW_S = 5 * 60;
const AGAIN_S = 10; // after a renewal that failed
const QUIET = 2; // modules of white around a code; the card it lies on has as much again
const LEAST_PX = 4; // of a module, on the finest screens

const board = document.querySelector("[data-board]");
const words = { ...board.dataset };
const part = Object.fromEntries(
  Array.from(board.querySelectorAll("[data-part]"), (each) => [each.dataset.part, each]),
);

let key = null;
let grant = null; // { bytes, expires, asked, type }
let offset = 0; // the server's clock less the phone's, in seconds
let shownAt = 0;
let asking = false;
let drawing = false;
let triedAt = -Infinity;

const phone = () => Date.now() / 1000;
const now = () => phone() + offset;

/** Ask for a grant; what is refused is said, what does not arrive is tried again. */
async function renew(type) {
  asking = true;
  triedAt = phone();
  try {
    const answer = await fetch(words.grantAt, {
      method: "POST",
      body: new URLSearchParams({ csrf: words.csrf, key: key.name, type }),
    });
    if (answer.status >= 500) return;
    if (answer.redirected || answer.status === 401 || answer.status === 403) return void location.reload();
    const told = await answer.json();
    if (!answer.ok) return void refuse(told.words);
    offset = told.now - (triedAt + phone()) / 2;
    grant = { bytes: fromBase64url(told.grant), expires: told.expires, asked: phone(), type };
    await show();
  } catch (gone) {
    if (!(gone instanceof TypeError)) throw gone; // a TypeError is how fetch says that there is no network
  } finally {
    asking = false;
  }
}

async function show() {
  if (drawing) return;
  drawing = true;
  try {
    const text = await rideCode(grant.bytes, key.privateKey, Math.floor(now()));
    board.dataset.state = "shown"; // before it is drawn: only then it has a width
    draw(qr(text));
    shownAt = phone();
    tell();
  } finally {
    drawing = false;
  }
}

/** Draw a code as large as there is room, each module a whole number of the screen's points. */
function draw(rows) {
  const side = rows.length + 2 * QUIET;
  const ratio = window.devicePixelRatio || 1;
  const scale = Math.max(LEAST_PX, Math.floor((part.bar.parentNode.clientWidth * ratio) / side));
  part.code.width = part.code.height = side * scale;
  part.code.style.width = `${(side * scale) / ratio}px`;
  const ink = part.code.getContext("2d");
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, part.code.width, part.code.height);
  ink.fillStyle = "#000";
  rows.forEach((row, y) => row.forEach((dark, x) => {
    if (dark) ink.fillRect((x + QUIET) * scale, (y + QUIET) * scale, scale, scale);
  }));
}

function refuse(said) {
  grant = null;
  board.dataset.state = "refused";
  part.refusal.textContent = said;
}

/** Each fraction of a second: what is due is done, and the seconds that are left are shown. */
async function tick() {
  if (board.dataset.state === "refused") return;
  const due = grant === null || phone() - grant.asked >= RENEW_S;
  if (due && !asking && phone() - triedAt >= AGAIN_S) renew(grant?.type ?? "self");
  if (grant !== null && now() >= grant.expires) over();
  else if (grant !== null && (phone() - shownAt >= CODE_S || phone() < shownAt)) await show();
  tell();
}

/** The grant has ended, and no network brought a new one. */
function over() {
  grant = null;
  board.dataset.state = "over";
  part.code.width = part.code.height = 0;
}

function tell() {
  const left = Math.max(0, Math.ceil(CODE_S - (phone() - shownAt)));
  part.seconds.textContent = grant ? String(left) : "";
  part.bar.style.transform = `scaleX(${grant ? Math.min(1, left / CODE_S) : 0})`;
  const alone = grant !== null && phone() - grant.asked >= RENEW_S + AGAIN_S;
  part.alone.hidden = !alone;
  if (alone) part.minutes.textContent = String(Math.max(1, Math.floor((grant.expires - now()) / 60)));
  board.dataset.type = grant?.type ?? "self";
}

/** Another type: its first code comes at once, or the old one stays. */
const choose = (type) => () => { if (!asking) renew(type); };

async function begin() {
  if (!able()) return; // the page says so until a script says otherwise
  board.dataset.state = "waiting";
  key = await newKey();
  part.companion?.addEventListener("click", choose("companion"));
  part.self?.addEventListener("click", choose("self"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
  window.addEventListener("online", () => { triedAt = -Infinity; tick(); });
  await renew("self");
  setInterval(tick, 250);
}

begin();
