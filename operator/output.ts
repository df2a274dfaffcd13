/** Where a command writes: what it was asked for, and what it says about it. */
export interface Output {
  /** To stdout, which scripts read. */
  print(text: string): void;
  /** To stderr, which people read. */
  note(text: string): void;
}
