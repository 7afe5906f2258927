package overlay

import "github.com/containerkit/kit/internal/container"

func tellChanges(*container.Container) error { return nil }
