"""Pose estimators from local files: pictures in, the 16 joints out, whatever network stands behind.

estimator = load_estimator("pose_landmark_full.tflite")
joints = estimator(pictures)  # [N, K, 3] = [x in widths, y in heights, confidence]
"""

from tf_outfit_gan.pose_estimation.estimator import Estimator, load_estimator

__all__ = ["Estimator", "load_estimator"]
