// Go, net/http/fcgi. See ../support/task.ts.
package main

import (
	"io"
	"net/http"
	"net/http/fcgi"
	"os"
	"strings"
	"syscall"
)

func note(id string) {
	file, err := os.OpenFile(os.Getenv("RUNS_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0644)
	if err != nil {
		panic(err)
	}
	file.WriteString(id + "\n")
	file.Close()
}

func main() {
	// nil: the listening socket is its standard input.
	fcgi.Serve(nil, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		task := strings.SplitN(request.URL.RawQuery, "-", 2)
		note(task[1])
		switch task[0] {
		case "die":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case "echo":
			io.Copy(response, request.Body)
		default:
			io.WriteString(response, task[1])
		}
	}))
}
