// The time as WeChat writes it between bubbles, always in the city's own zone.

const ZONE = { timeZone: "Asia/Shanghai" };
const GAP_MS = 5 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

const clock = new Intl.DateTimeFormat("zh-CN", { ...ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("sv-SE", ZONE);
const weekday = new Intl.DateTimeFormat("zh-CN", { ...ZONE, weekday: "long" });
const full = new Intl.DateTimeFormat("zh-CN", { ...ZONE, year: "numeric", month: "long", day: "numeric" });

export function nowText() {
  return clock.format(new Date());
}

export function needsSeparator(before, at) {
  return !before || new Date(at) - new Date(before) > GAP_MS;
}

export function separatorText(at, now = new Date()) {
  const then = new Date(at);
  const days = Math.round((new Date(day.format(now)) - new Date(day.format(then))) / DAY_MS);
  const time = clock.format(then);
  if (days <= 0) return time;
  if (days === 1) return `昨天 ${time}`;
  if (days < 7) return `${weekday.format(then)} ${time}`;
  return `${full.format(then)} ${time}`;
}
