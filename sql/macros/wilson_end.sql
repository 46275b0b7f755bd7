-- title: An end of a Wilson interval.
-- grain: one value: a share from 0 to 1, but for rounding
-- parameter: part: count
-- parameter: total: count of which it is a part, at least 1
-- parameter: z: quantile of the normal distribution, negative for the lower end, e.g. 1.959963984540054 for 95 %
-- example: select mart.wilson_end(15, 20, -1.959963984540054)
select ($part + $z ** 2 / 2 + $z * sqrt($part * ($total - $part) / $total + $z ** 2 / 4)) / ($total + $z ** 2)
