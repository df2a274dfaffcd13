/** This machine, as the host name of a URL says it (RFC 8252 section 7.3). Exact: a name that merely begins like one of these is somebody else's. */
export function isLoopback(hostname: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
