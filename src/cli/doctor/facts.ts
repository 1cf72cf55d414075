/**
 * What is known of a php-fpm before it is judged.
 * This folder: what does not go with a pool of ours: facts are collected, checked by pure functions, and printed.
 */
import type { Target } from '../../connection/socket/address.ts';
import type { FcgiErrorCode, Phase } from '../../errors.ts';

/** php-fpm.conf, as far as it was given. */
export interface PoolConf {
  /** `[www]` */
  readonly name: string;
  /** As written, of `[global]` too; with the default of `process_control_timeout`, where `[global]` was read and does not say it. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What PHP itself says. */
export interface Live {
  /** `fpm-fcgi`, `cgi-fcgi`, ... */
  readonly sapi: string;
  readonly version: string;
  /** php.ini values as they are for this pool; null: PHP does not know that one. */
  readonly ini: Readonly<Record<string, string | null>>;
  readonly opcache: boolean;
  /** `sys_temp_dir`. */
  readonly tmp: string;
  /** There, or in `upload_tmp_dir`: bodies over 16 KiB can be kept. */
  readonly tmpWritable: boolean;
  /** Files in a form can be: `open_basedir` allows it. */
  readonly uploads: boolean;
}

/** How a question to php-fpm failed. */
export interface Unreachable {
  readonly reason: string;
  readonly code: FcgiErrorCode;
  readonly phase: Phase;
}

export interface Facts {
  readonly target: Target;
  /** Of ours, for each server. */
  readonly connections: number;
  readonly processes: number;
  /** Why php-fpm could not be asked; null: it could. */
  readonly unreachable: Unreachable | null;
  /** Why the script that asks PHP was not run, by a php-fpm that answers; null: it was. */
  readonly notRun: string | null;
  readonly live: Live | null;
  /** Does PHP see our socket at the other end? null: it is not known. */
  readonly direct: boolean | null;
  /** The pool of --fpm-conf that listens at the address; null: none does, or no file was given. */
  readonly pool: PoolConf | null;
  /** Of the pools in --fpm-conf; null: no file was given. */
  readonly listens: readonly string[] | null;
  /** net.core.somaxconn of this machine; null: not known. */
  readonly somaxconn: number | null;
  /** Permission bits of a unix socket; null: not one, or not known. */
  readonly socketMode: number | null;
  /** The document root of --nginx-conf is a symbolic link, as deploys make it, and scripts are named by it; null: not so. */
  readonly linkedRoot: string | null;
}

export interface Finding {
  readonly id: string;
  readonly what: string;
  readonly why: string;
  /** The line to change. */
  readonly change: string;
}
