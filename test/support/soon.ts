/**
 * For vi.waitFor and vi.waitUntil, whose own second is over too soon on a busy machine. While Date is faked, each look moves it by 50 ms:
 * by as much as a test waits, and so by these 20 seconds at most.
 */
export const SOON = { timeout: 20_000 };
