-- title: Whether a patient belongs to a population: crlm, metastatic or all; any other name is an error.
-- grain: one value: true or false
-- parameter: population: name of the population
-- parameter: is_metastatic: whether metastatic disease is on record
-- parameter: is_crlm: whether liver metastases are on record
-- example: select mart.is_counted('crlm', true, false)
select
    case $population
        when 'crlm' then $is_crlm
        when 'metastatic' then $is_metastatic
        when 'all' then true
        else error('population is crlm, metastatic or all')
    end
