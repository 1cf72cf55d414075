export type ProgramName =
  | 'php-fpm'
  | 'php-cgi'
  | 'nginx'
  | 'haproxy'
  | 'apache2'
  | 'curl'
  | 'ss'
  | 'wrk'
  | 'socat'
  | 'dnsmasq';

export interface Program {
  readonly file: RegExp;
  readonly packages: Readonly<Record<'apt' | 'dnf' | 'apk' | 'brew', string>>;
}

export declare const programs: Readonly<Record<ProgramName, Program>>;
export declare function findProgram(name: ProgramName): string | undefined;
export declare function howToInstall(names: readonly ProgramName[]): string;
