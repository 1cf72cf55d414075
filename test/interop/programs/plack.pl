# Perl, Plack::Handler::FCGI. See ../support/task.ts.
use strict;
use warnings;
use Plack::Handler::FCGI;
use responder;

my $log = $ENV{RUNS_LOG};
Plack::Handler::FCGI->new->run(sub {
    my ($env) = @_;
    local $ENV{RUNS_LOG} = $log;
    my $text = responder::begin($env->{QUERY_STRING});
    if (!defined $text) {
        $text = '';
        while ($env->{'psgi.input'}->read(my $piece, 8192)) { $text .= $piece }
    }
    return [200, ['Content-Type' => 'text/plain'], [$text]];
});
