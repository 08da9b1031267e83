create table t (k integer primary key, v real, s text);
with recursive n(i) as (select 0 union all select i + 1 from n where i < 999)
  insert into t select i, i / 16.0, 'row ' || (i * 7 % 13) from n;
create index by_s on t (s, v);
select count(*), sum(v), min(s), max(s) from t where k % 3 = 1;
select s, count(*), round(avg(v), 6) from t group by s order by s;
update t set v = v * 1.5 where s like '%1%';
delete from t where k between 100 and 200;
select sum(v), total(k), group_concat(k) from t where v > 90;
select a.k, b.k, a.v + b.v from t a join t b on b.k = a.k * 2 where a.k % 97 = 5 order by 1;
select printf('%.10f', 1.0 / 7), hex(zeroblob(3)), upper('abc'), abs(-5), 9223372036854775807 + 0;
select sum(length(s)) over (order by k rows 2 preceding) from t where k < 8;
