# Ruby, fcgi. See ../support/task.ts.
require 'fcgi'

FCGI.each do |request|
  what, id = request.env['QUERY_STRING'].split('-', 2)
  File.open(ENV['RUNS_LOG'], 'a') { |file| file.syswrite("#{id}\n") }
  Process.kill(:KILL, Process.pid) if what == 'die'
  request.out.print("Content-Type: text/plain\r\n\r\n")
  request.out.print(what == 'echo' ? request.in.read : id)
  request.finish
end
