export interface Lock {
  readonly packages: Readonly<
    Record<string, { optionalDependencies?: Record<string, string>; dev?: boolean }>
  >;
}

export declare function missingFrom(lock: Lock): Map<string, { version: string; dev?: boolean }>;
