# Perl, CGI::Fast: it reads the body of a POST before the program sees the request. See ../support/task.ts.
use strict;
use warnings;
use CGI::Fast;
use responder;

my $log = $ENV{RUNS_LOG};
while (my $request = CGI::Fast->new) {
    $ENV{RUNS_LOG} = $log;
    my $text = responder::begin($ENV{QUERY_STRING});
    print "Content-Type: text/plain\r\n\r\n", $text // $request->param('POSTDATA');
}
