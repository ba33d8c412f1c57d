"""The status line: how a run is doing, for people, in at most 140 columns."""

from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.progress import format_duration

# (label, name of the statistic, format, the least that is told). What a tick lacks is not told.
TOLD = (
    ("G", "loss_generator", ".3f", 0),
    ("D", "loss_discriminator", ".3f", 0),
    ("R1", "r1_penalty", ".4f", 0),
    ("ADA", "ada_probability", ".2f", 0.005),
    ("data wait", "input_wait", ".0%", 0.05),
    ("skipped", "skipped_updates", "d", 1),
)


def status_line(record, size, growing):
    """Writes a tick's record as one line.

    Args:
        record: as it goes to stats.jsonl; cur_nimg and alpha are always there.
        size: (height, width) of the pictures now.
        growing: whether they are to become larger: what is left then takes at least the time that is told.
    """
    alpha = record["alpha"]
    parts = [f"kimg {record['cur_nimg'] / 1000:<8.1f} {format_size(size)} {f'fade {alpha:.0%}' if alpha < 1 else 'stable':<9}"]
    if "images_per_sec" in record:
        parts.append(f"{record['images_per_sec']:>6.1f} img/s")
    if "sec_per_kimg" in record:
        parts.append(f"{record['sec_per_kimg']:>7.2f} s/kimg")
    if "left_sec" in record:
        parts.append(f"left {'>' if growing else ''}{format_duration(record['left_sec'])}")
    if record.get("memory_bytes"):
        parts.append(f"{record['memory_bytes'] / 2**30:.1f} GiB")
    for label, name, form, least in TOLD:
        if record.get(name, -1) >= least:
            parts.append(f"{label} {record[name]:{form}}")
    return "  ".join(parts)
