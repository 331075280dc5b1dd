"""Where single jobs run: processes of their own, launchers, leased devices."""
