"""Python, for uwsgi. See ../support/task.ts."""
import os
import signal


def application(environ, start_response):
    what, name = environ['QUERY_STRING'].split('-', 1)
    with open(os.environ['RUNS_LOG'], 'ab', buffering=0) as file:
        file.write(f'{name}\n'.encode())
    if what == 'die':
        os.kill(os.getpid(), signal.SIGKILL)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [environ['wsgi.input'].read() if what == 'echo' else name.encode()]
