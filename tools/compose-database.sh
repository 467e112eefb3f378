# Sourced once by the image of the database, when it makes its tables: the service's user may do nothing until `migrate`, as the other user, gives it what it needs.
# MYSQL_PASSWORD is that of both; it comes from DATABASE_PASSWORD, which holds no quotation marks.
MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql --user=root <<SQL
CREATE USER 'smartpay_migrator'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON smartpay.* TO 'smartpay_migrator'@'%' WITH GRANT OPTION;
REVOKE ALL ON smartpay.* FROM 'smartpay'@'%';
SQL
