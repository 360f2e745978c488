"""Conventions, written down once.

Axes      Cameras follow OpenCV: x right, y down, z forward.  ``viewmats`` [..., 4, 4] map world to
          camera: ``p_camera = viewmat @ p_world``.  On disk ``transforms.json`` follows nerfstudio:
          camera-to-world, OpenGL axes (x right, y up, z backward).
Ks        ``Ks`` [..., 3, 3] in pixels.  The centre of the top-left pixel is (0.5, 0.5).
quats     [N, 4], wxyz, not normalised; the rasteriser normalises.
scales    [N, 3], standard deviations in world units; their logarithm is what is trained.
opacities [N], in (0, 1); their logit is what is trained.
colors    RGB in [0, 1], sRGB as photographed.  Images on disk are 8-bit PNG or JPEG.
depth     z in the camera frame, metres (or scene units); on disk 16-bit PNG in mm, 0 = unknown.
labels    On disk the scene's class ids, 16 bits, 0 = void, in the truth as in predictions.  Lessons
          and the labels of training number the scene's C classes from 1 to C, 0 = ignored.
          Channels of class scores are 0 to C - 1; argmax adds 1, or looks up the scene's id.
ids       instances and parts: on disk 16-bit ids, 0 = none.  Regions, tracks and clusters in arrays
          are numbered from 0 on; `NO_ID` is none.
Names     A frame is identified by its name everywhere, never by its position in a list.
"""

NO_ID = -1
"""In a map of ids that start at 0: nothing is there."""
