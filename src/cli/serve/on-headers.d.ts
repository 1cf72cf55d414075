declare module 'on-headers' {
  /** Calls `listener` when the head is about to go out. */
  export default function onHeaders(response: object, listener: () => void): void;
}
