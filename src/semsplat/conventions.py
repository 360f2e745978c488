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
labels    16-bit class ids, 0 = void.  instances and parts: 16-bit ids, 0 = none.
Names     A frame is identified by its name everywhere, never by its position in a list.
"""
