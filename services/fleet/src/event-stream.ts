// Server-sent events (HTML Living Standard, section 9.2): one text for all open pages, a limit on each of them.
import type { ServerResponse } from "node:http";
import type { StreamMessage } from "./fleet-feed.ts";

export const limits = {
  pagesMax: 256,
  /** A page that has not read this much is asleep; it reconnects and starts from a fresh picture. */
  unreadBytesMax: 4_194_304,
  /** A comment now and then, so that proxies keep the connection and a dead one is found. */
  keepAliveMillis: 15_000,
} as const;

/** JSON has no raw line breaks, so that one `data:` line is enough. */
export const encodeStreamMessage = (message: StreamMessage): string =>
  `event: ${message.name}\ndata: ${JSON.stringify(message.data)}\n\n`;

export class EventStream {
  readonly #pages = new Set<ServerResponse>();
  readonly #keepAlive: NodeJS.Timeout;

  constructor() {
    this.#keepAlive = setInterval(() => this.#write(": still here\n\n"), limits.keepAliveMillis);
    this.#keepAlive.unref();
  }

  /** False when there are too many pages already. */
  attach(response: ServerResponse, opening: StreamMessage): boolean {
    if (this.#pages.size >= limits.pagesMax) return false;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    // `retry`: how soon a page comes back after a broken connection.
    response.write(`retry: 1000\n\n${encodeStreamMessage(opening)}`);
    this.#pages.add(response);
    response.on("close", () => this.#pages.delete(response));
    response.on("error", () => this.#pages.delete(response));
    return true;
  }

  broadcast(message: StreamMessage): void {
    if (this.#pages.size > 0) this.#write(encodeStreamMessage(message));
  }

  get pages(): number {
    return this.#pages.size;
  }

  close(): void {
    clearInterval(this.#keepAlive);
    for (const page of this.#pages) page.destroy();
    this.#pages.clear();
  }

  #write(text: string): void {
    for (const page of this.#pages) {
      if (page.writableLength > limits.unreadBytesMax) page.destroy();
      else page.write(text);
    }
  }
}
