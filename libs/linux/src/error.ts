// Every failure of the kernel reaches the caller as one error class with the errno's name as its code.

export class LinuxError extends Error {
  /** The errno's name, such as "ENODEV". */
  readonly code: string;
  readonly call: string;

  constructor(code: string, call: string, detail: string, options?: ErrorOptions) {
    super(`[${code}] ${call}: ${detail}`, options);
    this.name = "LinuxError";
    this.code = code;
    this.call = call;
  }
}

/** A send or set-up failure of a VRRP socket. */
export class VrrpSocketError extends LinuxError {
  constructor(code: string, call: string, detail: string, options?: ErrorOptions) {
    super(code, call, detail, options);
    this.name = "VrrpSocketError";
  }
}
