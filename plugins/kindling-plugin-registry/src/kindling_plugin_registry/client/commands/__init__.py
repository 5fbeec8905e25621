"""One module for each command of `kindling plugins`; each exposes `command`."""
