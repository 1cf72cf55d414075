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
  | 'dnsmasq'
  | 'php-cgi'
  | 'fcgiwrap'
  | 'spawn-fcgi'
  | 'uwsgi'
  | 'gccgo'
  | 'gcc'
  | 'perl'
  | 'ruby';

export interface Program {
  readonly file: RegExp;
  readonly works?: readonly string[];
  readonly packages: Readonly<{ apt: string; dnf: string; apk: string; brew?: string }>;
}

export declare const programs: Readonly<Record<ProgramName, Program>>;
export declare function findProgram(name: ProgramName): string | undefined;
export declare function howToInstall(names: readonly ProgramName[]): string;
