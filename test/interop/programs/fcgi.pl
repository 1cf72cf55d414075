# Perl, FCGI. See ../support/task.ts.
use strict;
use warnings;
use FCGI;
use responder;

my %params;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%params);
while ($request->Accept >= 0) {
    my $text = responder::begin($params{QUERY_STRING});
    print "Content-Type: text/plain\r\n\r\n";
    if (defined $text) { print $text }
    else { while (read STDIN, my $piece, 8192) { print $piece } }
    $request->Finish;
}
