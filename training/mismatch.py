"""Wrong conditions for a photo, one part at a time: what a discriminator has to look at to refuse them.

Under all conditions of another photo (arXiv 1605.05396) colors give a photo away, and the pose need not be looked at.
So half of the photos keep their articles and get another one's pose, and half keep all but one article.
"""

import tensorflow as tf


def with_wrong_part(batch, draws):
    """Exchanges the pose or the article of one slot with the neighbor's in the batch.

    Args:
        batch: articles [N, S, h, w, 3] and keypoints [N, K, 3], for N of 2 or more.
        draws: the phase's `BatchDraws`.

    Returns:
        The batch with wrong conditions, and [N] 1 where they differ from the own ones, else 0: two entries may wear the
        same. The slot is one of those in which the two differ, each with the same probability.
    """
    articles, keypoints = batch["articles"], batch["keypoints"]
    other_articles, other_keypoints = (tf.roll(x, 1, axis=0) for x in (articles, keypoints))
    numbers = draws.mismatch(1 + articles.shape[1])  # [N, 1 + S]
    wrong_pose = numbers[:, 0] < 0.5  # [N]

    slots_differ = tf.reduce_any(articles != other_articles, axis=[2, 3, 4])  # [N, S]
    slot = tf.argmax(tf.where(slots_differ, numbers[:, 1:], -1.0), axis=1)
    exchanged = tf.one_hot(slot, articles.shape[1], on_value=True, off_value=False) & ~wrong_pose[:, None]
    pose_differs = tf.reduce_any(keypoints != other_keypoints, axis=[1, 2])
    differs = tf.where(wrong_pose, pose_differs, tf.reduce_any(slots_differ, axis=1))
    wrong = {
        "articles": tf.where(exchanged[:, :, None, None, None], other_articles, articles),
        "keypoints": tf.where(wrong_pose[:, None, None], other_keypoints, keypoints),
    }
    return batch | wrong, tf.cast(differs, tf.float32)
