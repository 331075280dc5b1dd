"""Where trials run: processes of their own, launchers, leased devices."""
