"""The import paths that this project has always had; the application is ``edms_backup``."""
