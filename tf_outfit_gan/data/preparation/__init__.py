"""From a catalogue to records, by processes of one machine, a job array or Apache Beam."""
