// Empty: it lets still.go declare functions without a body (cmd/compile, -complete).
