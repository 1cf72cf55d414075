# What the Perl programs have in common. See ../support/task.ts.
package responder;
use strict;
use warnings;

# Answers with the text, or undef: the body is to be echoed.
sub begin {
    my ($what, $id) = split /-/, $_[0], 2;
    open my $file, '>>', $ENV{RUNS_LOG} or die $!;
    syswrite $file, "$id\n";
    close $file;
    kill 'KILL', $$ if $what eq 'die';
    return $what eq 'echo' ? undef : $id;
}

1;
