/** A promise that the test settles: it holds a script as a slow one would, without a clock. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/**
 * Two turns of the event loop: a fake in this process has read by then what was ready in the kernel. Only for what
 * must not happen: a test that waited too short would not see it, and would not fail.
 */
export async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
