"""The estimator: marginal likelihood of the picture under a Gaussian scene, composed of patches.

Model
-----
Detector pixel i sees band l through the mask at the exact place where it looks, sampled once from a spline of the blurred mask (pose,
dispersion, blur): ``y_i = sum_l M_l(i) x_l(i) + e_i``. The scene is Gaussian, ``x_l = A b_l s_l`` with the local brightness A, the light of the
bands b (the exponential of a polynomial, three terms of which may change from the left of the scene to its right) and

    cov(s_l(i), s_m(j)) = sum_k (w_k + v_k C_lm) exp(-d_lm(i, j)^2 / 2 s_k^2)

where ``d_lm`` is the distance in the scene of what the two pixels see in their bands, ``s_k`` the scales, C the correlation of colours along
the bands; weights w, v and noise (read, shot) are found from the picture too. To it comes what a picture of a mask cannot know of itself:
the power that folds at half a cycle per pixel (:mod:`cassi_core.mask_image`), and parts of the mask that lie beyond its picture.

Composite likelihood
--------------------
The picture divided by its local brightness is cut into patches of P = 144 pixels. A patch of such a scene is Gaussian with a covariance
matrix S of its own, whatever lies outside it, and S is small enough to be inverted exactly. The likelihood is the product over patches of a t
distribution with f degrees of freedom (scatter matrix S): a patch with an edge or highlight counts less, and the overall brightness of the
scene in a patch does not count at all as f goes to 0,

    l = -1/2 sum_patches [(f + P) log(1 + y' S^-1 y / f) + log det S].

Score and information, with ``u = S^-1 y`` and ``k = (f + P) / (f + y' u)``:

    g_a = 1/2 sum [k u' S_a u - tr(S^-1 S_a)]        I_ab = 1/2 sum k u' S_a S^-1 S_b u      (average information)

The expectation of g vanishes at the truth whichever matrix stands for the derivative S_a, so that S_a may leave out what moves little (the
scene with the bands). What is lost are correlations between patches: efficiency, not consistency. Steps: ``d = (I + P)^-1 (g - P (x - m))`` with
what is known before, mean m and precision P. Errors: Godambe's sandwich ``I^-1 V I^-1``, V from the score by rows of patches.

Sources: Lindsay 1988 and Varin, Reid & Firth 2011 (composite likelihood); Gilmour, Thompson & Cullis 1995 (average information); Lange, Little &
Taylor 1989 (t likelihood); Godambe 1960 (sandwich).
"""
