// 乘车码: a fresh code every 20 seconds under a grant of 15 minutes, which is renewed while there is a network.

import { able, fromBase64url, newKey, rideCode } from "./ride-code.js";
import { qr } from "./qr.js";

const CODE_S = 20; // a code is good for 30
const RENEW_S = 5 * 60;
const AGAIN_S = 10; // after a renewal that failed
const NOTE_S = 8;
const QUIET = 2; // modules of white around a code; the card it lies on has as much again
const LEAST_PX = 4; // of a module, on the finest screens
const SELF = "self";
const COMPANION = "companion";
const IN_ARREARS = "transit_in_arrears";

const board = document.querySelector("[data-board]");
const words = { ...board.dataset };
const part = Object.fromEntries(
  Array.from(board.querySelectorAll("[data-part]"), (each) => [each.dataset.part, each]),
);

let key = null;
const grants = { [SELF]: null, [COMPANION]: null }; // each { bytes, expires, asked }
let type = SELF; // whose code is on the screen
let offset = 0; // the server's clock less the phone's, in seconds
let shownAt = 0;
let notedAt = 0;
let asking = false;
let drawing = false;
let triedAt = -Infinity;

const phone = () => Date.now() / 1000;
const now = () => phone() + offset;
const shown = () => grants[type];

/** Ask for a grant; what is refused is said, what does not arrive is tried again. */
async function renew(wanted) {
  asking = true;
  triedAt = phone();
  try {
    const answer = await fetch(words.grantAt, {
      method: "POST",
      body: new URLSearchParams({ csrf: words.csrf, key: key.name, type: wanted }),
    });
    if (answer.status >= 500) return void away(wanted);
    if (answer.redirected || answer.status === 401 || answer.status === 403) return void location.reload();
    const told = await answer.json();
    if (!answer.ok) return void refuse(told, wanted);
    offset = told.now - (triedAt + phone()) / 2;
    grants[wanted] = { bytes: fromBase64url(told.grant), expires: told.expires, asked: phone() };
    if (wanted === SELF) onlyOut(told);
    if (wanted === COMPANION) type = COMPANION;
    if (wanted === type) await show();
  } catch (gone) {
    if (!(gone instanceof TypeError)) throw gone; // a TypeError is how fetch says that there is no network
    away(wanted);
  } finally {
    asking = false;
  }
}

async function show() {
  if (drawing) return;
  drawing = true;
  try {
    const text = await rideCode(shown().bytes, key.privateKey, Math.floor(now()));
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

/** Of a companion it is said beside one's own code, which stays; of oneself it is the end of riding. */
function refuse({ words: said, what }, wanted) {
  if (wanted === COMPANION) return note(said);
  grants[SELF] = grants[COMPANION] = null;
  board.dataset.state = "refused";
  part.refusal.textContent = said;
  part.pay.hidden = what !== IN_ARREARS;
}

/** Whoever is under way gets out, and may read what is in the way of another ride. */
function onlyOut({ words: said, what }) {
  board.dataset.out = said ? "only" : "";
  part.why.textContent = said ?? "";
  part.debt.hidden = what !== IN_ARREARS;
}

/** Nobody answered: one's own code goes on by itself, a companion's cannot be had now. */
function away(wanted) {
  if (wanted === COMPANION) note(words.away);
}

function note(said) {
  part.note.textContent = said;
  part.note.hidden = false;
  notedAt = phone();
}

/** Each fraction of a second: what is due is done, and the seconds that are left are shown. */
async function tick() {
  if (board.dataset.state === "refused") return;
  const due = grants[SELF] === null || phone() - grants[SELF].asked >= RENEW_S;
  if (due && !asking && phone() - triedAt >= AGAIN_S) renew(SELF);
  for (const each of [SELF, COMPANION]) if (grants[each] !== null && now() >= grants[each].expires) over(each);
  if (shown() !== null && (phone() - shownAt >= CODE_S || phone() < shownAt)) await show();
  tell();
}

/** A grant has ended: after a companion's one's own code comes back; after one's own there is no network. */
function over(ended) {
  grants[ended] = null;
  if (ended === COMPANION && grants[SELF] !== null) return void choose(SELF);
  if (ended === type || grants[SELF] === null) {
    type = SELF;
    board.dataset.state = "over";
    part.code.width = part.code.height = 0;
  }
}

function tell() {
  const left = Math.max(0, Math.ceil(CODE_S - (phone() - shownAt)));
  part.seconds.textContent = shown() ? String(left) : "";
  part.bar.style.transform = `scaleX(${shown() ? Math.min(1, left / CODE_S) : 0})`;
  const alone = shown() !== null && grants[SELF] !== null && phone() - grants[SELF].asked >= RENEW_S + AGAIN_S;
  part.alone.hidden = !alone;
  if (alone) part.minutes.textContent = String(Math.max(1, Math.floor((shown().expires - now()) / 60)));
  if (phone() - notedAt >= NOTE_S) part.note.hidden = true;
  board.dataset.type = type;
}

/** Another code at once: the one that was on the screen has been used, or a gate asks for another. */
function choose(wanted) {
  type = wanted;
  if (shown() !== null) show();
}

/** Keep the screen on while a code is on it, where the phone lets pages do so. */
function stayBright() {
  navigator.wakeLock?.request("screen").catch(() => {});
}

function listen() {
  part.companion?.addEventListener("click", () => { if (!asking) renew(COMPANION); });
  part.self?.addEventListener("click", () => choose(SELF));
  part.code.addEventListener("click", () => choose(type));
  window.addEventListener("online", () => { triedAt = -Infinity; tick(); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    stayBright();
    tick();
  });
}

async function begin() {
  if (!able()) return void (board.dataset.state = "unable");
  key = await newKey();
  listen();
  stayBright();
  await renew(SELF);
  setInterval(tick, 250);
}

begin().catch((wrong) => {
  board.dataset.state = "unable"; // a picture can still be had
  throw wrong;
});
