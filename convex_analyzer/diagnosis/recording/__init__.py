"""Parts of the `Recorder`: arrays of any library, bounded tables, snapshots, probes, files."""
