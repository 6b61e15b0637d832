// The reply to a request of the admin address or the admin socket.

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Media type; plain text when left out. */
  readonly type?: string;
  readonly allow?: string;
}
