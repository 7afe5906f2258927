package container

// register makes the running container known by its name, until forget.
func register(*Container) (forget func(), err error) {
	return func() {}, nil
}
