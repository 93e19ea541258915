// Keeps one phone in step with the simulator: reconnects by itself, and goes on after the last entry it has.

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5000;

export class Feed {
  /** `heard(state, entries)` is called for each update, `linked(isConnected)` when the line comes or goes. */
  constructor(account, openid, { heard, linked }) {
    this.who = { account, openid };
    this.last = 0;
    this.wait = FIRST_WAIT_MS;
    this.heard = heard;
    this.linked = linked;
    this.connect();
  }

  connect() {
    const address = new URL("/phone/feed", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.search = new URLSearchParams({ ...this.who, after: this.last });
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => { this.wait = FIRST_WAIT_MS; this.linked(true); });
    socket.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      this.linked(false);
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
    });
  }

  take({ state, entries }) {
    const fresh = entries.filter((entry) => Number(entry.id) > this.last);
    if (fresh.length) this.last = Number(fresh.at(-1).id);
    this.heard(state, fresh);
  }

  /** A call in the name of this phone's citizen; resolves to an error text, or to nothing. */
  async post(path, body) {
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...this.who, ...body }),
      });
      return answer.ok ? undefined : (await answer.json()).error;
    } catch {
      return "模拟器没有回应";
    }
  }

  async before(id) {
    const query = new URLSearchParams({ ...this.who, before: id });
    const answer = await fetch(`/phone/history?${query}`);
    return answer.ok ? answer.json() : [];
  }
}
