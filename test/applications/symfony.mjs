/** A Symfony application in one file: a kernel, its routes, a session, an upload. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from './client.mjs';

export const frontController = '/index.php';

export async function install(_machine, folder) {
  const root = join(folder, 'public');
  await mkdir(join(root, 'docs'), { recursive: true });
  await mkdir(join(folder, 'var'));
  await writeFile(join(root, 'style.css'), `body { color: #123; }\n${'/* rule */\n'.repeat(2000)}`);
  await writeFile(join(root, 'docs/index.html'), '<h1>Docs</h1>\n');
  await writeFile(join(root, 'index.php'), kernel);
  return root;
}

export async function steps(client) {
  await client.step('home', '/');
  await client.file('/style.css');
  await client.step('pretty URL', '/hello/W%C3%B6rld?x=1&y%5B%5D=2');
  await client.step('needs a login', '/private');
  const { body } = await client.step('login form', '/login');
  await client.form('wrong token', '/login', { name: 'anna', token: 'x' });
  await client.form('login', '/login', { name: 'anna', token: /value="([^"]*)"/.exec(body)?.[1] });
  await client.step('logged in', '/private');
  await client.upload('upload', '/upload', { note: 'Grüße' }, 'file', 'dot.png', PNG);
  await client.step('download', '/download');
  await client.step('part of a download', '/download', { headers: { Range: 'bytes=1-4' } });
  await client.step('streamed', '/stream');
  await client.step('JSON', '/json', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: '{"a":[1,2]}',
  });
  await client.step('not modified', '/cached', { headers: { 'If-None-Match': '"v1"' } });
  await client.step('logout', '/logout');
  await client.step('logged out', '/private');
  await client.step('no such page', '/nothing/here');
  await client.step('no such method', '/json', { method: 'DELETE' });
  await client.step('folder without slash', '/docs');
  await client.step('folder', '/docs/');
  await client.step('by the script', '/index.php/hello/anna');
  return client.answers;
}

const kernel = String.raw`<?php
use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\{BinaryFileResponse, JsonResponse, RedirectResponse, Request, Response, StreamedResponse};
use Symfony\Component\HttpKernel\Kernel as Base;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

require_once 'Symfony/Bundle/FrameworkBundle/autoload.php';

class Kernel extends Base {
    use MicroKernelTrait;
    public function registerBundles(): iterable { yield new FrameworkBundle(); }
    public function getProjectDir(): string { return dirname(__DIR__); }
    protected function configureContainer(ContainerConfigurator $c): void {
        $c->extension('framework', ['secret' => 'S0', 'test' => false, 'session' => ['handler_id' => null, 'storage_factory_id' => 'session.storage.factory.native', 'save_path' => dirname(__DIR__) . '/var']]);
    }
    protected function configureRoutes(RoutingConfigurator $r): void {
        foreach (['home' => '/', 'hello' => '/hello/{name}', 'login' => '/login', 'logout' => '/logout', 'private' => '/private', 'upload' => '/upload', 'download' => '/download', 'stream' => '/stream', 'cached' => '/cached'] as $name => $path) {
            $r->add($name, $path)->controller([$this, $name . 'Page']);
        }
        $r->add('json', '/json')->controller([$this, 'jsonPage'])->methods(['PUT', 'GET']);
    }
    public function homePage(Request $q) { return new Response('<h1>Home of ' . $q->getHost() . '</h1> ' . $q->getBaseUrl() . '|' . $q->getPathInfo()); }
    public function helloPage(Request $q, string $name) { return new Response("Hello $name " . json_encode($q->query->all()) . $q->getBaseUrl()); }
    public function loginPage(Request $q) {
        $s = $q->getSession();
        if ($q->isMethod('POST')) {
            if ($q->request->get('token') !== $s->get('csrf')) return new Response('bad token', 403);
            $s->migrate(true);
            $s->set('user', $q->request->get('name'));
            return new RedirectResponse('/private', 303);
        }
        $s->set('csrf', bin2hex(random_bytes(16)));
        return new Response('<form method="post"><input name="name"><input name="token" value="' . $s->get('csrf') . '"></form>');
    }
    public function privatePage(Request $q) {
        $user = $q->getSession()->get('user');
        return $user === null ? new RedirectResponse('/login') : new Response("Private page of $user");
    }
    public function logoutPage(Request $q) { $q->getSession()->invalidate(); return new RedirectResponse('/'); }
    public function uploadPage(Request $q) {
        $f = $q->files->get('file');
        $about = [$f->getClientOriginalName(), $f->getSize(), $f->getClientMimeType(), md5_file($f->getPathname()), $q->request->all()];
        $f->move(dirname(__DIR__) . '/var', 'upload.png');
        return new JsonResponse($about, 201);
    }
    public function downloadPage() { $r = new BinaryFileResponse(dirname(__DIR__) . '/var/upload.png', 200, ['Content-Type' => 'image/png']); $r->setContentDisposition('attachment', 'dot.png'); return $r; }
    public function streamPage() { return new StreamedResponse(function () { for ($i = 0; $i < 5; $i++) { echo str_repeat("$i", 5000), "\n"; flush(); } }, 200, ['Content-Type' => 'text/plain', 'X-Accel-Buffering' => 'no']); }
    public function jsonPage(Request $q) { return new JsonResponse(json_decode($q->getContent())); }
    public function cachedPage(Request $q) { $r = new Response('cached'); $r->setEtag('v1'); $r->isNotModified($q); return $r; }
}

$request = Request::createFromGlobals();
$kernel = new Kernel('prod', false);
$response = $kernel->handle($request);
$response->send();
$kernel->terminate($request, $response);
`;
