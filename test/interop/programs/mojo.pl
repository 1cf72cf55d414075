# Perl, Mojo::Server::FastCGI. See ../support/task.ts.
use strict;
use warnings;
use Mojolicious::Lite;
use Mojo::Server::FastCGI;
use responder;

my $log = $ENV{RUNS_LOG};
app->secrets(['for a test'])->log->level('fatal');
any '/' => sub {
    my ($c) = @_;
    local $ENV{RUNS_LOG} = $log;
    my $text = responder::begin($c->req->url->query->to_string);
    $c->render(data => $text // $c->req->body);
};
Mojo::Server::FastCGI->new(app => app)->run;
