"""The schedule of growing, by hand."""

import pytest

from tf_outfit_gan.config import TrainingConfig
from tf_outfit_gan.errors import UserError
from training import schedule

CONFIG = TrainingConfig(total_kimg=10, start_level=1, fade_kimg=1, stable_kimg=2)


def test_periods_alternate_and_the_last_one_ends_the_run():
    found = [(p.level, p.fading, p.start_nimg, p.end_nimg) for p in schedule.periods(4, CONFIG)]
    assert found == [
        (1, False, 0, 2000), (2, True, 2000, 3000), (2, False, 3000, 5000), (3, True, 5000, 6000), (3, False, 6000, 10000)
    ]


def test_a_short_run_ends_before_the_top():
    config = TrainingConfig(total_kimg=2.5, start_level=1, fade_kimg=1, stable_kimg=2)
    assert [p.level for p in schedule.periods(4, config)] == [1, 2]


def test_alpha_grows_from_0_to_1():
    fade = schedule.periods(4, CONFIG)[1]
    assert [fade.alpha(nimg) for nimg in (2000, 2500, 3000, 3016)] == [0, 0.5, 1, 1]


def test_the_period_of_an_image():
    all_periods = schedule.periods(4, CONFIG)
    assert [schedule.period_at(nimg, all_periods).index for nimg in (0, 1999, 2000, 5999, 9999)] == [0, 0, 1, 3, 4]


# StyleGAN's own table: 8 GPUs 4:512 8:256 16:128 32:64 64:32, then 32; 1 GPU ends at 4.
@pytest.mark.parametrize("replicas, height, batch", [
    (8, 8, 256), (8, 64, 32), (8, 1024, 32), (4, 128, 16), (4, 1024, 16), (2, 256, 8), (2, 1024, 8),
    (1, 8, 128), (1, 512, 4), (1, 1024, 4), (3, 1024, 6),
])
def test_batch_sizes_are_stylegans(replicas, height, batch):
    assert schedule.batch_size(TrainingConfig(), height, replicas, 4) == batch


def test_learning_rates_are_stylegans():
    rates = [schedule.learning_rate(TrainingConfig(), height) for height in (8, 64, 128, 256, 512, 1024)]
    assert rates == [0.001, 0.001, 0.0015, 0.002, 0.003, 0.003]


@pytest.mark.parametrize("batch, replicas", [(7, 2), (6, 1), (12, 2)])
def test_a_batch_that_does_not_divide_is_refused(batch, replicas):
    with pytest.raises(UserError, match="batch_size"):
        schedule.batch_size(TrainingConfig(batch_size=batch), 32, replicas, 4)
