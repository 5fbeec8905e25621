"""The client's side: find, choose, lock, install and check plugins. Nothing here signs or builds."""
